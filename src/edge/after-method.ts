//! Where a request goes once its method and its signature are found good.
import type { Exchange } from './exchange.ts'
import { to } from './stage.ts'

export type AfterMethod = typeof to.cacheKey | typeof to.admitMiss

/** What the cache has no say in goes to the origin, as far as the worker has room for it. */
export const afterMethod = ({ cacheable }: Exchange): AfterMethod => (cacheable ? to.cacheKey : to.admitMiss)
