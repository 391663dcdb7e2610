//! `cachefront encryption-keys`: the keys that encrypt snapshots (docs/encryption-at-rest.md): what there is, a new one, new material
//! for one. It works on the files of the home, whether or not anything runs. Secrets are never shown.
import { Command } from 'commander'
import { KeyError } from '../../keeper/snapshots/key-file.ts'
import type { KeySeen } from '../../keeper/snapshots/keys.ts'
import { Vault } from '../../keeper/snapshots/vault.ts'
import { systemClock } from '../../lib/clock.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { drawTable } from '../table.ts'

const ALIAS = /^alias\/[\w/-]{1,250}$/

export function encryptionKeysCommand(host: CliHost, done: (code: number) => void): Command {
  /** Runs `act` on the vault of the home and prints its words, or its document with --json. */
  const run = async (options: ClientOptions, act: (vault: Vault, now: string) => Promise<[string, unknown]>) => {
    try {
      const now = new Date(systemClock.wall()).toISOString()
      const [text, document] = await act(new Vault(host.home(options.home)), now)
      host.out.print(options.json ? JSON.stringify(document, null, 2) : text)
      done(0)
    } catch (error) {
      if (error instanceof KeyError) throw new CliError(error.message)
      throw error
    }
  }
  const list = new Command('list')
    .description('the keys of the key file, with how often each was rotated')
    .action((options: ClientOptions) =>
      run(options, async (vault) => {
        const keys = await vault.keys.list()
        return [keys.length === 0 ? 'No keys yet: the first snapshot makes one.' : draw(keys), keys]
      }),
    )
  const create = new Command('create')
    .argument('<ALIAS>', 'its name, for example alias/shop')
    .description('makes a key that KmsKeyId of a replication group or snapshot can name')
    .action((alias: string, options: ClientOptions) =>
      run(options, async (vault, now) => {
        if (!ALIAS.test(alias))
          throw new CliError(`${alias} is not an alias: it begins with alias/, as alias/shop does.`)
        const key = await vault.keys.create(alias, now)
        return [`${key.arn} (${key.alias})`, key]
      }),
    )
  const rotate = new Command('rotate')
    .argument('[KEY]', "its id, ARN or alias; the installation's own by default")
    .description(
      'gives a key new material and wraps the data keys of all its snapshots anew; older copies stay readable',
    )
    .action((key: string | undefined, options: ClientOptions) =>
      run(options, async (vault, now) => {
        const rotated = await vault.keys.rotate(key ?? null, now)
        const renewed: string[] = []
        for (const { id, stored } of await vault.list()) {
          // Those of other keys are left alone: a KMS that is away now does not stop this one.
          const isOfKey = stored.kind === 'ready' && stored.manifest.facts.kmsKeyArn === rotated.arn
          if (isOfKey && (await vault.renew(id))) renewed.push(id)
        }
        const text = `${rotated.alias} has material ${rotated.material} now; snapshots wrapped anew: ${renewed.length}`
        return [text, { ...rotated, renewed }]
      }),
    )
  const keys = new Command('encryption-keys').description(
    'the keys that encrypt snapshots at rest: list, create, rotate',
  )
  return keys.addCommand(list).addCommand(create).addCommand(rotate)
}

const draw = (keys: readonly KeySeen[]): string =>
  drawTable([
    ['ALIAS', 'ARN', 'MATERIAL', 'CREATED', 'ROTATED'],
    ...keys.map((key) => [key.alias, key.arn, String(key.material), key.createdAt, key.rotatedAt ?? 'never']),
  ])
