//! Snapshots beyond AWS's API: how far each is, an RDB file out of one, and one out of an RDB file. For the CLI.
import { failure, isObject, json, type LocalRoute } from './local-route.ts'

/** A snapshot and what is under way with it. */
export interface SnapshotState {
  readonly name: string
  readonly status: string
  readonly source: 'manual' | 'automated'
  /** Id of the cluster or replication group; null for an imported one. */
  readonly of: string | null
  readonly createdAt: string
  /** Bytes of the RDB; null before it is known. */
  readonly rdbBytes: number | null
  /** Null when nothing is under way, or nothing is known. */
  readonly progress: { readonly bytes: number; readonly bytesTotal: number | null } | null
  /** Why it failed, or why its last export did. */
  readonly problem: string | null
}

/** control/ implements it. Each throws a Fault for what the caller is to see. */
export interface SnapshotDesk {
  list(): Promise<readonly SnapshotState[]>
  /** The plaintext RDB of an available snapshot. */
  rdb(name: string): Promise<AsyncIterable<Uint8Array>>
  /** Begins a snapshot that is made of an RDB file; returns the id of the upload. */
  beginImport(name: string, engine: 'redis' | 'valkey'): Promise<string>
  /** The next bytes; resolves when there is room for more. */
  append(upload: string, piece: Buffer): Promise<void>
  /** The snapshot is there when it resolves. */
  finish(upload: string): Promise<void>
}

export function snapshotRoutes(desk: SnapshotDesk): readonly LocalRoute[] {
  return [
    {
      method: 'GET',
      path: '/_cachefront/snapshots',
      readsNeedSignature: true,
      run: async () => json(200, { snapshots: await desk.list() }),
    },
    {
      method: 'GET',
      path: '/_cachefront/snapshots/*',
      readsNeedSignature: true,
      async run({ rest }) {
        return { status: 200, contentType: 'application/octet-stream', body: await desk.rdb(rest) }
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/snapshot-imports',
      async run({ body }) {
        const { name, engine = 'redis' } = isObject(body) ? body : {}
        if (typeof name !== 'string' || (engine !== 'redis' && engine !== 'valkey')) {
          return failure(400, 'The body must be {"name": "nightly", "engine": "redis"} or the same with "valkey".')
        }
        return json(201, { upload: await desk.beginImport(name, engine) })
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/snapshot-imports/*',
      async run({ rest, body }) {
        const { data, end } = isObject(body) ? body : {}
        if ((data !== undefined && typeof data !== 'string') || (data === undefined && end !== true)) {
          return failure(400, 'The body must be {"data": "bytes in base64"}, or {"end": true} after the last.')
        }
        if (data !== undefined) await desk.append(rest, Buffer.from(data, 'base64'))
        if (end === true) await desk.finish(rest)
        return json(200, { upload: rest })
      },
    },
  ]
}
