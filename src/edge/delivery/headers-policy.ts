//! What the response headers policy does to the answer of one request (spec/cloudfront.md 4.9). Every head that goes to a
//! viewer passes through here: hits and misses, errors of the origin and of the edge, custom error pages. (That errors
//! which the edge makes itself get the policy's headers is unconfirmed; without them a page on another origin could not
//! even read the status.)
import { editHead } from '../../http/head-edit.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import type { PolicyEdit } from '../snapshot/headers-policy.ts'

/** Null when there is nothing to do; a peer and the edge itself get the head as it is. */
export function editOf(x: Exchange): PolicyEdit | null {
  // Of a custom error page the behavior is that of the page; the policy is that of what the viewer asked for (unconfirmed).
  const behavior = x.page === null ? x.behavior : x.page.behavior
  const policy = behavior === null ? null : behavior.headersPolicy
  if (policy === null || x.peer !== null || x.inner !== null) return null
  const { method, headers } = x.viewerRequest
  const edit = policy.editFor(method, headers, Math.random)
  x.watcher?.decided(`${behavior?.field}.ResponseHeadersPolicyId`, policy.doc.id)
  return edit
}

/** A line without the break behind it, beginning with one: the delivery's own Date in place of one that was removed. */
export const dateLine = (edge: Edge, edit: PolicyEdit | null): string =>
  edit?.ownDate ? `\r\nDate: ${edge.date()}` : ''

export const edited = (head: string, edit: PolicyEdit | null): string => (edit === null ? head : editHead(head, edit))
