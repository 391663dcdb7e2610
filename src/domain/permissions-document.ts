//! docs/api-access.md as text, with the table of permissions.
import { ROLES } from './access-keys.ts'
import { PERMISSIONS } from './permissions.ts'

export function permissionsDocument(): string {
  const rows = PERMISSIONS.map(({ service, operations, roles, about }) => {
    const marks = ROLES.map((role) => (roles.includes(role) ? 'yes' : ''))
    return `| ${service} | ${operations.map((one) => `\`${one}\``).join(' ')} | ${marks.join(' | ')} | ${about} |`
  })
  return `${TEXT.replace('TABLE', [HEADING, `|${'---|'.repeat(3 + ROLES.length)}`, ...rows].join('\n'))}\n`
}

const HEADING = `| service | operations | ${ROLES.join(' | ')} | |`

const TEXT = `# Access to the API

Printed by \`npm run docs\` with the table in [src/domain/permissions.ts](../src/domain/permissions.ts). Who may come into caches
is in [access.md](access.md).

| who calls | what is asked of them |
|---|---|
| this machine (the API listens on loopback) | a well-formed Authorization header of any key, which is not verified; whoever signs with a key that is known here is verified and has its role |
| the same with \`--require-keys\` | a signature of a known key that holds |
| anybody, when the API listens on another address (published ports of containers too) | the same |

Where keys are required the program does not start without an admin. Local reads that watch the installation
(\`/_cachefront/health\`, \`metrics\`, \`ip-ranges.json\`) are open to whoever reaches the port.

## Keys

\`\`\`
cachefront keys create --name boss --role admin
cachefront keys create --name deploy --role invalidator --expires 90d
cachefront keys list
cachefront keys rotate deploy --overlap 1h    # the secret before stays right for an hour; 24h without, --overlap 0 for not at all
cachefront keys revoke deploy
\`\`\`

They go through the running installation; while none runs they work on the home itself, so that the first key can be made
before the first start, and an admin who has lost the key can make another. A secret is shown when it is made and never
again. It is kept in the state sealed by \`<home>/keys/access-keys.json\` (0600): SigV4 needs the secret itself, so a hash would not
do. Back up both; one without the other opens nothing. It is refused when others may read it. The pair of
\`CACHEFRONT_ACCESS_KEY_ID\` and \`CACHEFRONT_SECRET_ACCESS_KEY\` is one more admin. \`sts get-caller-identity\` says who calls:
\`arn:aws:iam::<account>:user/<name>\`, or \`root\` for the pair and for callers that are taken at their word. When a key was last
used is noted at most every ten minutes. The last admin cannot be revoked where keys are required; one that expires is
not stopped from it. IAM tokens of caches ([access.md](access.md)) are signed with the pair: an installation that requires keys
and has no pair lets no IAM user in.

## Who may call what

The first row that fits decides. Whatever no row knows is left to admins. A call that is denied answers \`AccessDenied\` (403;
\`AccessDeniedException\` where a service speaks JSON) and names the key, its role, the operation and the roles that may.

TABLE

## Signatures

SigV4 and SigV4A (\`AWS4-ECDSA-P256-SHA256\`), in the Authorization header or presigned in the query, over the bytes as they
came. A presigned request is verified wherever it comes from.

- The time may be 15 minutes off. \`X-Amz-Expires\` is 1 to 604800 seconds.
- \`Host\`, \`If-Match\` and every \`X-Amz-*\` header that is there must be signed. The region set of SigV4A must have the installation's
  region or us-east-1; the region of SigV4 is not looked at.
- The hash is that of the body: \`UNSIGNED-PAYLOAD\` and bodies signed piece by piece (\`STREAMING-...\`) are refused, session
  tokens too, as there are no temporary credentials.
- Paths with empty or dot segments, and plus signs in queries, are refused: signers see another request in them than servers.
- **A change is made once for one signature.** The same bytes again, within the time in which their signature is accepted, get the
  first answer again (\`x-cachefront-replayed: true\`) and change nothing; calls that failed may be tried again; answers with a
  secret are not given twice (409). So nobody repeats what they overheard, and a client whose answer was lost learns what
  became of its call. SDKs sign a unique id (\`amz-sdk-invocation-id\`) into each call: two of theirs are never the same bytes.
  Whoever signs by hand and means two equal calls within one second to be two adds a header that differs. Memory of this
  ends with the process.
- Wrong keys: an address (a /64 of IPv6) that has sent ten within a minute waits for each further refusal, 50 ms and twice as
  long each time up to 3 s, and while eight of them, or 64 of all such addresses, wait everything else that it signs is answered
  \`Throttling\`. Right keys never wait otherwise. The log of control has it once (\`api-wrong-keys\`), \`cachefront_api_authentication_failures_total\` counts by reason.

## Audit log

\`<home>/logs/audit.log\` (0600): JSON lines, set aside at 16 MiB, eight files kept. A change stands in it, durably, **before** it is made
(\`change\`: time, request id, caller, service, operation, names and ids of the resources); what came of it follows as a line with the
same request id (\`outcome\`: status, code, ids of what was made). When the first cannot be written, the change is not made:
503 \`ServiceUnavailable\`, a line in the log of control, \`cachefront_api_audit_failures_total\`. A change without an outcome is one
during which the process died. \`denied\` are changes that the role did not allow. Contents are never in it: passwords, tokens, private
keys, configurations. Calls that are turned away because of their signature are in the log of calls (\`control.log\`) only, so that
nobody can flood the audit log from outside.

\`\`\`
cachefront audit --operation DeleteDistribution     # changes with their outcomes, newest last; --key NAME, -n N, --json
\`\`\`

## Explain beyond loopback

\`cachefront explain\` asks control for a token (\`POST /_cachefront/explain-tokens\`, admins only) that is good for one method, host and
path for a minute, and sends it as \`x-cachefront-explain\`. Edges know no access keys: they verify it by a key that control keeps for
them in the home (0600). It is honoured on every listener, through proxies too, with \`x-cachefront-viewer-address\`, and is neither
forwarded, nor keyed, nor logged. Without a token both headers count on loopback only.

## No web page drives it

Before anything else, 403 unless Host is an IP address, \`localhost\`, \`*.localhost\`, \`localhost.localstack.cloud\` or a name of
\`--allow-host\`, Origin is absent or the API's own, and Sec-Fetch-Site is absent, \`same-origin\` or, for a GET, \`none\`. Changes of
\`/_cachefront\` need \`Content-Type: application/json\`.`
