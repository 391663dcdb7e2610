//! `cachefront trusted-signers`: the CloudFront key pairs of accounts that sign URLs and cookies (TrustedSigners), which AWS
//! takes in its console alone. Public halves only.
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { SignerKeyPair } from '../../services/cachefront/signer-routes.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

const ROUTE = '/_cachefront/trusted-signers'

interface AddOptions extends ClientOptions {
  readonly account?: string
  readonly keyPairId?: string
}

export function trustedSignersCommand(host: CliHost, done: (code: number) => void): Command {
  const list = new Command('list')
    .description('accounts that may sign, and the ids of their key pairs')
    .addHelpText('after', '\nExample:\n  cachefront trusted-signers list')
    .action(async (options: ClientOptions) => {
      const { keyPairs } = (await localDocument(findApi(host, options), ROUTE)) as {
        keyPairs: readonly SignerKeyPair[]
      }
      host.out.print(options.json ? JSON.stringify(keyPairs, null, 2) : drawPairs(keyPairs))
      done(0)
    })
  const add = new Command('add')
    .argument('<file>', 'public key in PEM: RSA with 1024, 2048 or 4096 bits')
    .option('--account <ID>', 'whose key pair it is: self, or 12 digits', 'self')
    .option('--key-pair-id <ID>', 'APKA and 16 letters or digits, as signers know it; a new one without it')
    .description('enter a key pair; distributions that trust the account are deployed with it')
    .addHelpText('after', '\nExample:\n  cachefront trusted-signers add signer.pem --key-pair-id APKAEIBAERJR2EXAMPLE')
    .action(async (file: string, { account, keyPairId, ...options }: AddOptions) => {
      const publicKey = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new CliError(`${file} cannot be read: ${error.code ?? error.message}.`)
      })
      // Not even to the installation: it would stand in a request.
      if (publicKey.includes('PRIVATE KEY')) {
        throw new CliError(
          `${file} has a private key, which nobody is told: openssl pkey -in ${file} -pubout gives the public one.`,
        )
      }
      const made = (await localDocument(findApi(host, options), ROUTE, {
        ...{ account, publicKey },
        ...(keyPairId === undefined ? {} : { keyPairId }),
      })) as SignerKeyPair
      host.out.print(options.json ? JSON.stringify(made) : `${made.keyPairId} signs for the account ${made.account}.`)
      done(0)
    })
  const remove = new Command('remove')
    .argument('<key-pair-id>')
    .description('what it signed is refused from the next deployment on')
    .addHelpText('after', '\nExample:\n  cachefront trusted-signers remove APKAEIBAERJR2EXAMPLE')
    .action(async (keyPairId: string, options: ClientOptions) => {
      const gone = (await localDocument(findApi(host, options), `${ROUTE}/remove`, { keyPairId })) as SignerKeyPair
      host.out.print(options.json ? JSON.stringify(gone) : `${gone.keyPairId} signs no more.`)
      done(0)
    })
  return new Command('trusted-signers')
    .description('key pairs of accounts that sign URLs and cookies (list, add, remove)')
    .addCommand(list, { isDefault: true })
    .addCommand(add)
    .addCommand(remove)
}

const drawPairs = (pairs: readonly SignerKeyPair[]): string =>
  drawTable([
    ['ACCOUNT', 'KEY PAIR', 'SINCE'],
    ...pairs.map(({ account, keyPairId, since }) => [account, keyPairId, since]),
  ])
