//! Web ACLs: create, read, replace, delete, list.
import type {
  CreateWebACLRequest,
  CreateWebACLResponse,
  DeleteWebACLRequest,
  GetWebACLRequest,
  GetWebACLResponse,
  ListWebACLsRequest,
  ListWebACLsResponse,
  UpdateWebACLRequest,
  UpdateWebACLResponse,
  WebACL,
} from '@aws-sdk/client-wafv2'
import type { Operation } from '../service.ts'
import { acceptedAcl } from './acl-checks.ts'
import {
  add,
  find,
  findLocked,
  labelNamespace,
  pageOf,
  remove,
  replace,
  requireUnused,
  summaryOf,
} from './resources.ts'
import { requireNamed } from './rule-groups.ts'
import { requireScope } from './scope.ts'
import { shown } from './stored-shape.ts'
import { distributionsWith } from './users.ts'

export const createWebACL: Operation<CreateWebACLRequest, CreateWebACLResponse> = async (input, context) => {
  requireScope(input.Scope)
  const { Name: _, Scope: __, Tags: ___, ...given } = input
  const record = await context.state.transact(async (tx) => {
    const replaced = await acceptedAcl(tx, given)
    return add(tx, 'web-acl', input, context, (identity) => ({
      ...identity,
      acl: {
        Name: identity.name,
        Id: identity.id,
        ARN: identity.arn,
        LabelNamespace: labelNamespace(context.accountId, 'web-acl', identity.name),
        ...replaced,
      },
    }))
  })
  return { Summary: summaryOf(record, record.acl) }
}

export const getWebACL: Operation<GetWebACLRequest, GetWebACLResponse> = async (input, context) => {
  requireNamed(input)
  const record = await find(context.state, 'web-acl', input, context)
  return { WebACL: shown<WebACL>(record.acl), LockToken: record.lockToken }
}

/** A full replacement. */
export const updateWebACL: Operation<UpdateWebACLRequest, UpdateWebACLResponse> = async (input, context) => {
  const { Name: _, Scope: __, Id: ___, LockToken: ____, ...given } = input
  const NextLockToken = await context.state.transact(async (tx) => {
    const record = await findLocked(tx, 'web-acl', input, context)
    const { Name, Id, ARN, LabelNamespace } = record.acl
    const namespace = LabelNamespace === undefined ? {} : { LabelNamespace }
    return replace(tx, 'web-acl', {
      ...record,
      acl: { Name, Id, ARN, ...namespace, ...(await acceptedAcl(tx, given)) },
    })
  })
  return { NextLockToken }
}

export const deleteWebACL: Operation<DeleteWebACLRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findLocked(tx, 'web-acl', input, context)
    const users = await distributionsWith(tx, arn)
    requireUnused(
      arn,
      users.map((user) => user.arn),
    )
    await remove(tx, 'web-acl', arn)
  })
  return {}
}

export const listWebACLs: Operation<ListWebACLsRequest, ListWebACLsResponse> = async (input, { state }) => {
  const { records, next } = await pageOf(state, 'web-acl', input)
  return { ...next, WebACLs: records.map((record) => summaryOf(record, record.acl)) }
}
