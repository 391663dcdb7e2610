//! `cachefront cache snapshots`: what there is and how far it is; made, restored, exported, imported, deleted, watched.
import { Command } from 'commander'
import type { SnapshotState } from '../../services/cachefront/snapshot-routes.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import type { LocalApi } from '../local-call.ts'
import { work } from '../progress.ts'
import { exportToDirectory, importFile } from '../snapshot-files.ts'
import { bytesText, drawSnapshots, type Snapshots, snapshotsOf, until } from '../snapshots.ts'

interface WaitOptions extends ClientOptions {
  /** False with --no-wait. */
  readonly wait: boolean
}

interface RestoreOptions extends WaitOptions {
  readonly nodes: string
  readonly nodeType?: string
  readonly port?: string
  readonly cluster?: boolean
}

const NO_WAIT = ['--no-wait', 'return at once, not when it is done'] as const

export function snapshotsCommand(host: CliHost, done: (code: number) => void): Command {
  const examples = (text: string): string => `\nExamples:\n${text.replace(/^/gm, '  cachefront cache snapshots ')}`
  /** Runs `act` and prints what it returns: the words, or the document with --json. */
  const run =
    <O extends ClientOptions>(options: O, act: (made: Snapshots) => Promise<{ text: string; json: unknown }>) =>
    async (): Promise<void> => {
      const snapshots = await snapshotsOf(host, options)
      try {
        const { text, json } = await act(snapshots)
        host.out.print(options.json ? JSON.stringify(json, null, 2) : text)
        done(0)
      } finally {
        snapshots.client.destroy()
      }
    }
  const list = new Command('list')
    .option('--of <ID>', 'only those of this replication group or cache cluster')
    .description('all snapshots with their status, and how far what is under way is')
    .addHelpText('after', examples('list\nlist --of shop\nlist --json | jq .[].name'))
    .action((options: ClientOptions & { of?: string }) =>
      run(options, async ({ all }) => {
        const found = (await all()).filter((one) => options.of === undefined || one.of === options.of)
        return { text: drawSnapshots(found), json: found }
      })(),
    )
  const create = new Command('create')
    .argument('<cache>', 'replication group or cache cluster')
    .argument('<name>', 'of the snapshot')
    .option(...NO_WAIT)
    .description('a snapshot of a cache: of a replica where it has one')
    .addHelpText('after', examples('create shop before-upgrade\ncreate shop before-upgrade --no-wait'))
    .action((cache: string, name: string, options: WaitOptions) =>
      run(options, async (snapshots) => {
        await snapshots.call(async ({ client, isGroup }) => {
          const of = (await isGroup(cache)) ? { ReplicationGroupId: cache } : { CacheClusterId: cache }
          await client.createSnapshot({ SnapshotName: name, ...of })
        })
        return finish(host, options, snapshots, name, 'Snapshot')
      })(),
    )
  const restore = new Command('restore')
    .argument('<snapshot>', 'its name')
    .argument('<id>', 'of the cache that is made of it')
    .option('--nodes <N>', 'nodes of the new replication group, 1 to 6', '1')
    .option('--node-type <TYPE>', 'like cache.t3.small; that of the snapshot otherwise')
    .option('--port <PORT>', 'that of the snapshot otherwise')
    .option('--cluster', 'a cache cluster that stands alone, not a replication group')
    .option(...NO_WAIT)
    .description('a new cache with the data of a snapshot')
    .addHelpText('after', examples('restore before-upgrade shop2 --nodes 3\nrestore nightly one --cluster'))
    .action((name: string, id: string, options: RestoreOptions) =>
      run(options, (snapshots) => restoreInto(host, snapshots, name, id, options))(),
    )
  const exporting = new Command('export')
    .argument('<snapshot>', 'its name')
    .argument('<where>', 'a directory here, or s3://BUCKET[/PREFIX] where the installation reaches S3')
    .description('a plain RDB file of a snapshot, NAME-0001.rdb, which a stock redis-server loads')
    .addHelpText('after', examples('export nightly /srv/backups\nexport nightly s3://my-backups/2026/nightly'))
    .action((name: string, where: string, options: ClientOptions) =>
      run(options, (snapshots) => exportTo(host, snapshots, name, where, options))(),
    )
  const importing = new Command('import')
    .argument('<file>', 'an RDB file, like the dump.rdb of a redis-server')
    .argument('<name>', 'of the snapshot that it becomes')
    .option('--engine <ENGINE>', 'redis or valkey: which one wrote it', 'redis')
    .description('a snapshot of an RDB file')
    .addHelpText('after', examples('import /var/lib/redis/dump.rdb moved-in'))
    .action((file: string, name: string, options: ClientOptions & { engine: string }) =>
      run(options, async ({ api }) => {
        await work(host.out, options.json === true, `Import of ${file}`, (say) =>
          importFile(api, file, { name, engine: options.engine }, say),
        )
        return { text: `Snapshot ${name} is available.`, json: { name, status: 'available' } }
      })(),
    )
  const remove = new Command('delete')
    .argument('<snapshot>', 'its name')
    .description('delete a snapshot that is available or failed')
    .addHelpText('after', examples('delete before-upgrade'))
    .action((name: string, options: ClientOptions) =>
      run(options, async (snapshots) => {
        await snapshots.call(({ client }) => client.deleteSnapshot({ SnapshotName: name }))
        await until(snapshots, name, (one) => one === undefined)
        return { text: `Snapshot ${name} is deleted.`, json: { name, status: 'deleted' } }
      })(),
    )
  const watch = new Command('watch')
    .argument('[snapshot]', 'its name; all without one')
    .description('what is under way and how far it is, until nothing is')
    .addHelpText('after', examples('watch\nwatch before-upgrade'))
    .action((name: string | undefined, options: ClientOptions) =>
      run(options, async (snapshots) => {
        const said = new Map<string, string>()
        const isDone = async (): Promise<readonly SnapshotState[] | null> => {
          const found = (await snapshots.all()).filter((one) => name === undefined || one.name === name)
          if (name !== undefined && found.length === 0) throw new CliError(`There is no snapshot ${name}.`)
          for (const one of found) {
            const line = `${one.name}: ${one.status}${progressText(one)}`
            if (said.get(one.name) === line) continue
            said.set(one.name, line)
            if (options.json !== true) host.out.print(line)
          }
          return found.some(isUnderWay) ? null : found
        }
        const found = await snapshots.poll(isDone)
        return { text: found.length === 0 ? 'No snapshots.' : 'Nothing is under way.', json: found }
      })(),
    )
  return new Command('snapshots')
    .description('snapshots of caches (list, create, restore, export, import, delete, watch)')
    .addCommand(list, { isDefault: true })
    .addCommand(create)
    .addCommand(restore)
    .addCommand(exporting)
    .addCommand(importing)
    .addCommand(remove)
    .addCommand(watch)
}

const isUnderWay = ({ status }: SnapshotState): boolean => status !== 'available' && status !== 'failed'

function progressText({ progress, problem }: SnapshotState): string {
  const why = problem === null ? '' : ` (${problem})`
  if (progress === null) return why
  const { bytes, bytesTotal } = progress
  return `, ${bytesText(bytes)}${bytesTotal === null ? '' : ` of about ${bytesText(bytesTotal)}`}${why}`
}

/** Waits until the snapshot is available. @throws CliError with why it failed */
async function finish(host: CliHost, options: WaitOptions, snapshots: Snapshots, name: string, what: string) {
  if (!options.wait) return { text: `${what} ${name} is begun.`, json: { name, status: 'creating' } }
  await work(host.out, options.json === true, `${what} ${name}`, async (say) => {
    await until(snapshots, name, (one) => {
      if (one === undefined) throw new CliError(`Snapshot ${name} is gone.`)
      if (one.status === 'failed') throw new CliError(`Snapshot ${name} failed: ${one.problem}.`)
      say(`${one.status}${progressText(one)}`)
      return !isUnderWay(one)
    })
  })
  const [found] = (await snapshots.all()).filter((one) => one.name === name)
  return { text: `${what} ${name} is available: ${bytesText(found?.rdbBytes ?? 0)}.`, json: found }
}

async function restoreInto(host: CliHost, snapshots: Snapshots, name: string, id: string, options: RestoreOptions) {
  const shared = {
    SnapshotName: name,
    ...(options.nodeType === undefined ? {} : { CacheNodeType: options.nodeType }),
    ...(options.port === undefined ? {} : { Port: Number(options.port) }),
  }
  const count = Number(options.nodes)
  await snapshots.call(({ client }) =>
    options.cluster
      ? client.createCacheCluster({ CacheClusterId: id, ...shared })
      : client.createReplicationGroup({
          ReplicationGroupId: id,
          ReplicationGroupDescription: `from snapshot ${name}`,
          NumCacheClusters: count,
          AutomaticFailoverEnabled: count > 1,
          ...shared,
        }),
  )
  if (!options.wait) return { text: `${id} is being made of ${name}.`, json: { id, status: 'creating' } }
  await work(host.out, options.json === true, `Restore of ${name} into ${id}`, async (say) => {
    await snapshots.poll(async () => {
      const [one] = (await snapshots.all()).filter((snapshot) => snapshot.name === name)
      if (one !== undefined) say(`${one.status}${progressText(one)}`)
      const { status, why } = await snapshots.cacheStatus(id, options.cluster === true)
      if (/failed/.test(status)) throw new CliError(`${id} is ${status}: ${why}.`)
      return status === 'available' ? true : null
    })
  })
  return { text: `${id} is available with the data of ${name}.`, json: { id, status: 'available' } }
}

async function exportTo(host: CliHost, snapshots: Snapshots, name: string, where: string, options: ClientOptions) {
  const quiet = options.json === true
  const [, bucket, prefix] = /^s3:\/\/([^/]+)(?:\/(.+))?$/.exec(where) ?? []
  if (bucket === undefined) return exportHere(host, snapshots.api, name, where, quiet)
  const target = prefix ?? name
  await snapshots.call(({ client }) =>
    client.copySnapshot({ SourceSnapshotName: name, TargetSnapshotName: target, TargetBucket: bucket }),
  )
  await work(host.out, quiet, `Export of ${name}`, async (say) => {
    await until(snapshots, name, (one) => {
      if (one === undefined) throw new CliError(`Snapshot ${name} is gone.`)
      say(`${one.status}${progressText(one)}`)
      if (one.status === 'available' && one.problem !== null) throw new CliError(`${one.problem}.`)
      return !isUnderWay(one)
    })
  })
  const url = `s3://${bucket}/${target}-0001.rdb`
  return { text: `Snapshot ${name} is exported to ${url}.`, json: { name, url } }
}

async function exportHere(host: CliHost, api: LocalApi, name: string, directory: string, quiet: boolean) {
  let file = ''
  await work(host.out, quiet, `Export of ${name}`, async (say) => {
    file = await exportToDirectory(api, name, directory, say)
  })
  return { text: `Snapshot ${name} is exported to ${file}.`, json: { name, file } }
}
