//! TagResource, UntagResource, ListTagsForResource.
import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-wafv2'
import type { Operation } from '../service.ts'
import { page } from './paging.ts'
import { findByArn } from './resources.ts'
import { readTags, tagsWith, writeTags } from './tagging.ts'

/** A key that is there already gets the new value. */
export const tagResource: Operation<TagResourceRequest, object> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const { arn } = await findByArn(tx, input.ResourceARN ?? '')
    await writeTags(tx, arn, tagsWith(await readTags(tx, arn), input.Tags))
  })
  return {}
}

/** A key that is not there is no error. */
export const untagResource: Operation<UntagResourceRequest, object> = async (input, { state }) => {
  const gone = new Set(input.TagKeys)
  await state.transact(async (tx) => {
    const { arn } = await findByArn(tx, input.ResourceARN ?? '')
    const left = Object.entries(await readTags(tx, arn)).filter(([key]) => !gone.has(key))
    await writeTags(tx, arn, Object.fromEntries(left))
  })
  return {}
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = async (
  input,
  { state },
) => {
  const { arn } = await findByArn(state, input.ResourceARN ?? '')
  const all = Object.entries(await readTags(state, arn)).sort(([a], [b]) => (a < b ? -1 : 1))
  const { items, next } = page(all, ([key]) => key, input)
  return { ...next, TagInfoForResource: { ResourceARN: arn, TagList: items.map(([Key, Value]) => ({ Key, Value })) } }
}
