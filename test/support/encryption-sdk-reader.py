# A second reader of AWS Encryption SDK messages, after the public message format specification (version 1, framed,
# AES-256-GCM with HKDF-SHA256), that has nothing in common with AWS's own. Argument: private key file. Standard input:
# base64, one message a line. Standard output: for each a JSON array of provider, key name and the plaintext in hex.
import base64
import json
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

with open(sys.argv[1], "rb") as file:
    private_key = serialization.load_pem_private_key(file.read(), None)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise ValueError("the message ends too early")
        self.at += count
        return part

    def number(self, size):
        return int.from_bytes(self.take(size), "big")


def read(message):
    r = Reader(message)
    assert r.take(2) == b"\x01\x80", "version and type"
    suite = r.take(2)
    assert suite == b"\x01\x78", "AES-256-GCM, HKDF-SHA256, no signature"
    message_id = r.take(16)
    assert r.number(2) == 0, "no encryption context"
    assert r.number(2) == 1, "one encrypted data key"
    provider, key_name, wrapped = (r.take(r.number(2)) for _ in range(3))
    assert r.number(1) == 2, "framed"
    assert r.number(4) == 0, "reserved"
    assert r.number(1) == 12, "length of IVs"
    frame_length = r.number(4)
    header = message[: r.at]
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    data_key = private_key.decrypt(wrapped, oaep)
    key = AESGCM(HKDF(hashes.SHA256(), 32, None, suite + message_id).derive(data_key))
    header_iv, header_tag = r.take(12), r.take(16)
    key.decrypt(header_iv, header_tag, header)
    plaintext, expected = b"", 1
    while True:
        number = r.number(4)
        final = number == 0xFFFFFFFF
        if final:
            number = r.number(4)
        assert number == expected, "frames in order"
        iv = r.take(12)
        length = r.number(4) if final else frame_length
        content = r.take(length + 16)
        name = b"AWSKMSEncryptionClient " + (b"Final Frame" if final else b"Frame")
        aad = message_id + name + struct.pack(">IQ", number, length)
        plaintext += key.decrypt(iv, content, aad)
        if final:
            assert r.at == len(message), "nothing follows"
            return [provider.decode(), key_name.decode(), plaintext.hex()]
        expected += 1


for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(line))))
