/** What the tests use of s3rver, which has no types of its own. */
declare module 's3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Bucket {
    readonly name: string
    /** XML of a CORSConfiguration or a WebsiteConfiguration. */
    readonly configs?: readonly string[]
  }

  class S3rver {
    constructor(options: {
      readonly directory: string
      readonly silent: boolean
      readonly configureBuckets: readonly Bucket[]
    })
    configureBuckets(): Promise<unknown>
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }

  // biome-ignore lint/style/noDefaultExport: it has one
  export { S3rver as default }
}
