//! Why the edge did not answer a request of a command, for a person: what it was, and what to do about it.

/** Of a certificate that nobody known has issued. */
const UNVERIFIED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

/** `edge`: ADDRESS:PORT. */
export function edgeProblem(edge: string, { hostname, protocol }: URL, error: NodeJS.ErrnoException): string {
  const { code = '', message } = error
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The edge at ${edge} has no certificate for ${hostname}: no distribution that is deployed has it as an alias with one (see \`cachefront status\` and \`cachefront certificates\`).`
  }
  if (UNVERIFIED.includes(code)) {
    return `The certificate of ${hostname} at ${edge} is of no authority that is known here (${message}): name the file of its authority in NODE_EXTRA_CA_CERTS.`
  }
  if (code === 'ECONNRESET' && protocol === 'https:') {
    return `The edge at ${edge} closed the connection: so does a distribution with ViewerMtlsConfig when it is shown no certificate, and this command has none (docs/viewer-mtls.md).`
  }
  return `The edge at ${edge} failed: ${message}`
}
