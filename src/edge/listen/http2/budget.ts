//! How often a viewer may do what costs us more than it (limits.ts): so often at once, and a few more each second.
import { TokenBucket } from '../../../lib/token-bucket.ts'
import { HTTP2_RATES, type Http2RateName } from './limits.ts'

export class Budget extends TokenBucket {
  constructor(name: Http2RateName, now: number) {
    const { burst, perSecond } = HTTP2_RATES[name]
    super(burst, perSecond, now)
  }
}
