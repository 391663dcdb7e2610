/** What the tests use of two memcached clients, which have no types of their own. */
declare module 'memcache-plus' {
  class MemcachePlus {
    /** With `autodiscover` the hosts are configuration endpoints. */
    constructor(options: {
      readonly hosts: readonly string[]
      readonly autodiscover?: boolean
      readonly onNetError?: (error: Error) => void
    })
    /** By `host:port`. */
    readonly connections: Readonly<Record<string, unknown>>
    set(key: string, value: string): Promise<void>
    get(key: string): Promise<string | null>
    disconnect(): Promise<void>
  }
  export = MemcachePlus
}

declare module 'memjs' {
  export class Client {
    /** `host:port,host:port`; the binary protocol. */
    static create(servers: string): Client
    set(key: string, value: string, options: object): Promise<boolean>
    get(key: string): Promise<{ readonly value: Buffer | null }>
    close(): void
  }
}
