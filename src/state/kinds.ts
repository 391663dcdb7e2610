//! The kinds of documents in the state, each with its type. A new kind is one line here and its noun in domain/.
import type { UserGroupRecord, UserRecord } from '../domain/access.ts'
import type { AccessKeyRecord, AccessKeyUse } from '../domain/access-keys.ts'
import type { NotificationRecord } from '../domain/cache-notifications.ts'
import type { CertificateRecord } from '../domain/certificates.ts'
import type { ChallengeRecord } from '../domain/challenge.ts'
import type {
  CacheClusterRecord,
  CacheEventRecord,
  CacheParameterGroupRecord,
  CacheSubnetGroupRecord,
  KeeperCursorRecord,
  ReplicationGroupRecord,
  ServiceUpdateRecord,
} from '../domain/cluster.ts'
import type { LogCursorRecord } from '../domain/log-delivery.ts'
import type {
  DeploymentPolicyRecord,
  DistributionRecord,
  FieldEncryptionRecord,
  InvalidationRecord,
  KeyGroupRecord,
  OriginAccessControlRecord,
  OriginAccessIdentityRecord,
  PolicyRecord,
  PublicKeyRecord,
  SignerKeyPairRecord,
  TrustStoreRecord,
} from '../domain/records.ts'
import type { SnapshotRecord } from '../domain/snapshot.ts'
import type { IpSetRecord, RegexPatternSetRecord, RuleGroupRecord, WebAclRecord } from '../domain/waf/records.ts'

/** Document type by kind; the id of each is in the comment. */
export interface Documents {
  /** Id of the distribution. */
  distribution: DistributionRecord
  /** `<distribution id>/<invalidation id>`. */
  invalidation: InvalidationRecord
  /** Policy id (UUID); custom policies only, the managed ones are a table in domain/. */
  'cache-policy': PolicyRecord
  'origin-request-policy': PolicyRecord
  /** Id. */
  'origin-access-control': OriginAccessControlRecord
  /** Id. */
  'origin-access-identity': OriginAccessIdentityRecord
  /** Id: the Key-Pair-Id. */
  'public-key': PublicKeyRecord
  /** Id. */
  'field-encryption-config': FieldEncryptionRecord
  /** Id. */
  'field-encryption-profile': FieldEncryptionRecord
  /** Id (UUID). */
  'key-group': KeyGroupRecord
  /** Id: the Key-Pair-Id. */
  'signer-key-pair': SignerKeyPairRecord
  /** Policy id (UUID). */
  'continuous-deployment-policy': DeploymentPolicyRecord
  'response-headers-policy': PolicyRecord
  /** Id. */
  'trust-store': TrustStoreRecord
  /** ARN. */
  certificate: CertificateRecord
  /** `local`: what ACM keeps of the account; the token is that of the last call that set it. */
  'certificate-account': { readonly daysBeforeExpiry: number; readonly token: string }
  /** Cache cluster id; members of replication groups too. */
  'cache-cluster': CacheClusterRecord
  /** Replication group id. */
  'replication-group': ReplicationGroupRecord
  /** Name; custom groups only, the default ones are a table in domain/parameters. */
  'cache-parameter-group': CacheParameterGroupRecord
  /** Name; without the implicit `default`. */
  'cache-subnet-group': CacheSubnetGroupRecord
  /** Name. */
  snapshot: SnapshotRecord
  /** User id; without the predefined `default`. */
  'cache-user': UserRecord
  /** User group id. */
  'cache-user-group': UserGroupRecord
  /** `<ISO time>/<revision>/<number>`: sorted by time. */
  'cache-event': CacheEventRecord
  /** `<revision>/<number>`: in the order of their events. */
  notification: NotificationRecord
  /** `<cache cluster id>/<node id>/<log type>`. */
  'log-cursor': LogCursorRecord
  /** Name. */
  'service-update': ServiceUpdateRecord
  /** `local`: when failovers were tested within the last day, oldest first; ISO times. */
  'failover-tests': { readonly at: readonly string[] }
  /** `local`: the one keeper of this host. */
  'keeper-cursor': KeeperCursorRecord
  /** Name of a POP or regional edge cache that an operator has taken down; there is none for one that is up. */
  place: { readonly down: true; readonly since: string }
  /** As of challengeId. */
  challenge: ChallengeRecord
  /** ARN. */
  'web-acl': WebAclRecord
  'ip-set': IpSetRecord
  'regex-pattern-set': RegexPatternSetRecord
  'rule-group': RuleGroupRecord
  /** Id of the key. */
  'access-key': AccessKeyRecord
  /** The same. */
  'access-key-use': AccessKeyUse
  /** ARN of the tagged resource. */
  tags: { readonly tags: Readonly<Record<string, string>> }
}

export type Kind = keyof Documents
