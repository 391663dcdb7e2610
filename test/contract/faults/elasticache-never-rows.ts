//! Codes of the model that this program can never mean, each with the reason.

export const NEVER_MEANT: ReadonlyMap<string, string> = new Map([
  ['ClusterQuotaForCustomerExceeded', 'AWS counts nodes today (NodeQuotaForCustomerExceeded); the older quota is gone'],
  ['ServiceLinkedRoleNotFoundFault', 'there are no service-linked roles: nothing is done in another account’s name'],
  ['SubnetNotAllowedFault', 'it is for subnets of Outposts, of which there are none'],
  [
    'InvalidCredentialsException',
    'declared by DescribeReplicationGroups and others for Outposts; a bad signature has its own code',
  ],
])
