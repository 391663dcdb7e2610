//! The account at an ACME server (RFC 8555 7.3): its key is made once, kept below the home with mode 0600, and registered
//! at the first order. A server that has forgotten the account (or never knew it) gets it again, under the same key.
import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../../../lib/private-directory.ts'
import { type AccountKey, type ExternalAccount, externalBinding, newAccountKey, readAccountKey } from './jws.ts'
import { AcmeError } from './problem.ts'
import type { AcmeAnswer, AcmeServer } from './server.ts'

export interface AccountOptions {
  /** Of the keys; made when it is missing. */
  readonly home: string
  /** URL of the server's directory: each server has an account of its own. */
  readonly directory: string
  /** Mail addresses. */
  readonly contacts: readonly string[]
  /** What some authorities want, so that they know whose account it is; null for none. */
  readonly external: ExternalAccount | null
}

interface KeptAccount {
  /** PKCS #8, PEM. */
  readonly key: string
  readonly directory: string
  /** URL of the account, its `kid`; null before it is registered. */
  readonly url: string | null
  /** Mail addresses that the server knows of it. */
  readonly contacts: readonly string[]
}

export class Account {
  readonly #server: AcmeServer
  readonly #options: AccountOptions
  #key: AccountKey | null = null
  #url: string | null = null
  #contacts: readonly string[] = []
  #reading: Promise<void> | null = null
  #opening: Promise<void> | null = null

  constructor(server: AcmeServer, options: AccountOptions) {
    this.#server = server
    this.#options = options
  }

  /** @throws Error that names the file when it is damaged */
  async key(): Promise<AccountKey> {
    if (this.#key === null) {
      // Orders begin at the same time: one of them makes the key.
      this.#reading ??= this.#read().finally(() => {
        this.#reading = null
      })
      await this.#reading
    }
    return this.#key as AccountKey
  }

  /** As the account; `payload` undefined is POST-as-GET. @throws as of AcmeServer.post */
  async post(url: string, payload?: unknown): Promise<AcmeAnswer> {
    const key = await this.key()
    try {
      return await this.#server.post(url, key, { kid: await this.#registered(key) }, payload)
    } catch (error) {
      if (!(error instanceof AcmeError) || error.type !== 'accountDoesNotExist') throw error
      this.#url = null
      return this.#server.post(url, key, { kid: await this.#registered(key) }, payload)
    }
  }

  async #registered(key: AccountKey): Promise<string> {
    if (this.#url === null || this.#contacts.join() !== this.#options.contacts.join()) {
      this.#opening ??= this.#introduce(key).finally(() => {
        this.#opening = null
      })
      await this.#opening
    }
    return this.#url as unknown as string
  }

  /** The operator may have other addresses than at the start before (7.3.2). */
  async #introduce(key: AccountKey): Promise<void> {
    if (this.#url === null) return this.#register(key)
    await this.#server.post(this.#url, key, { kid: this.#url }, { contact: this.#mails() })
    await this.#write(key, this.#url)
  }

  #mails(): readonly string[] {
    return this.#options.contacts.map((address) => `mailto:${address}`)
  }

  /** The server answers with the account that the key has already, if it has one (7.3.1). */
  async #register(key: AccountKey): Promise<void> {
    const { contacts, external } = this.#options
    const { newAccount, meta } = await this.#server.directory()
    if (meta?.externalAccountRequired === true && external === null) {
      throw new Error(
        'this ACME server takes accounts of its customers alone: give --acme-eab-kid and CACHEFRONT_ACME_EAB_KEY',
      )
    }
    const { location } = await this.#server.post(
      newAccount,
      key,
      { jwk: key.jwk },
      {
        termsOfServiceAgreed: true,
        ...(contacts.length === 0 ? {} : { contact: this.#mails() }),
        ...(external === null ? {} : { externalAccountBinding: externalBinding(external, key.jwk, newAccount) }),
      },
    )
    if (location === null) throw new Error(`${new URL(newAccount).host} has made no account`)
    await this.#write(key, location)
  }

  async #read(): Promise<void> {
    const file = this.#file()
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (text === null) {
      const key = readAccountKey(newAccountKey())
      await this.#write(key, null)
      this.#key = key
      return
    }
    try {
      const kept = JSON.parse(text) as KeptAccount
      this.#key = readAccountKey(kept.key)
      this.#url = kept.url
      this.#contacts = kept.contacts
    } catch (error) {
      // Nothing of what is in it: it is a key.
      const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message
      throw new Error(
        `the key of the ACME account in ${file} cannot be used: ${why}. Restore it, or remove it for a new one`,
      )
    }
  }

  async #write({ privateKey }: AccountKey, url: string | null): Promise<void> {
    const { home, directory, contacts } = this.#options
    await makePrivateDirectory(home)
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const kept: KeptAccount = { key: pem, directory, url, contacts: url === null ? [] : contacts }
    const next = `${this.#file()}.${randomBytes(4).toString('hex')}`
    await writeFile(next, `${JSON.stringify(kept)}\n`, { mode: 0o600, flush: true })
    await rename(next, this.#file())
    this.#url = url
    this.#contacts = kept.contacts
  }

  #file(): string {
    const { home, directory } = this.#options
    return join(home, `account-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}.json`)
  }
}
