//! Directories as origins (`--folder NAME=DIR`, reached as NAME.folder.cachefront): a static site as S3's website endpoints
//! serve one. https://docs.aws.amazon.com/AmazonS3/latest/userguide/IndexDocumentSupport.html
import { realpath } from 'node:fs/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { OriginRequest, OriginSink, SourceControl } from '../attempts.ts'
import { OriginFailure } from '../failure.ts'
import type { OriginSource } from '../sources.ts'
import { FileAnswer } from './file-answer.ts'

const SUFFIX = '.folder.cachefront'

export interface FoldersOptions {
  /** Absolute directory by name. */
  readonly directories: ReadonlyMap<string, string>
  readonly clock: Clock
}

export class Folders implements OriginSource {
  readonly #options: FoldersOptions

  constructor(options: FoldersOptions) {
    this.#options = options
  }

  serves({ origin }: OriginRequest): boolean {
    return origin.named.toLowerCase().endsWith(SUFFIX)
  }

  send(request: OriginRequest, sink: OriginSink): SourceControl {
    const answer = new FileAnswer(request, sink, this.#options.clock)
    request.body?.destroy()
    void this.#rootOf(request).then(
      (root) => answer.begin(root),
      (failure: OriginFailure) => answer.fail(failure),
    )
    return answer
  }

  /** @throws OriginFailure when there is no such folder, or it is not there any more */
  async #rootOf({ origin }: OriginRequest): Promise<string> {
    const name = origin.named.toLowerCase().slice(0, -SUFFIX.length)
    const directory = this.#options.directories.get(name)
    if (directory === undefined) {
      throw new OriginFailure('folder', `no folder has the name ${name}: start with --folder ${name}=DIR`)
    }
    try {
      return await realpath(directory)
    } catch (error) {
      throw new OriginFailure('folder', `the folder ${name} cannot be read: ${(error as Error).message}`)
    }
  }
}
