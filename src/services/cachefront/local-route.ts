//! What a row of `/_cachefront` is, and the answers that rows give; api/local.ts finds the row of a request.

export interface LocalRequest {
  /** The part of the path that the route's `*` stands for, decoded; empty when it has none. */
  readonly rest: string
  readonly query: URLSearchParams
  /** The parsed JSON document of a POST; undefined when there was no body. */
  readonly body: unknown
}

export interface LocalAnswer {
  /** HTTP status. */
  readonly status: number
  readonly contentType: string
  /** Names and ids of what was made, for the audit log. */
  readonly made?: Readonly<Record<string, string>>
  /** Pieces are sent as they come; whoever reads them stops when the caller is gone. */
  readonly body: string | AsyncIterable<string | Uint8Array>
}

export interface LocalRoute {
  /** `GET` answers HEAD as well. `POST` is a change: it needs `application/json`. */
  readonly method: 'GET' | 'POST'
  /** Whole path; a final `*` stands for one segment that is not empty. */
  readonly path: string
  /** Beyond loopback, changes always need a valid signature (service `cachefront`); reads only with this. */
  readonly readsNeedSignature?: boolean
  /** Its answer holds a secret that is shown once: a call that is sent again is not answered with it again. */
  readonly answersOnce?: boolean
  /** @throws Fault for every error that the caller is to see; anything else becomes a 500 without detail. */
  run(request: LocalRequest): Promise<LocalAnswer>
}

export const json = (status: number, document: unknown): LocalAnswer => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(document)}\n`,
})

/** An error of these routes: `{"error": "what happened and what to do"}`. */
export const failure = (status: number, error: string): LocalAnswer => json(status, { error })

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
