"""Signatures of Debian's AWS CLI and botocore: reads {"key", "id", "url", "until"} and prints a list of signed URLs."""

import contextlib
import datetime
import io
import json
import sys

from awscli import clidriver
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_pem_private_key

asked = json.load(sys.stdin)
until = datetime.datetime.fromisoformat(asked["until"])
with open(asked["key"], "rb") as file:
    key = load_pem_private_key(file.read(), password=None)
signer = CloudFrontSigner(asked["id"], lambda message: key.sign(message, PKCS1v15(), hashes.SHA1()))
canned = signer.generate_presigned_url(asked["url"], date_less_than=until)
policy = signer.build_policy(asked["url"].rsplit("/", 1)[0] + "/*", until, ip_address="127.0.0.0/8")
custom = signer.generate_presigned_url(asked["url"], policy=policy)
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    sign = ["cloudfront", "sign", "--url", asked["url"], "--key-pair-id", asked["id"]]
    code = clidriver.create_clidriver().main(
        [*sign, "--private-key", "file://" + asked["key"], "--date-less-than", asked["until"]]
    )
if code != 0:
    sys.exit(code)
print(json.dumps([canned, custom, printed.getvalue().strip()]))
