//! What an operator is told who starts an API that needs keys, and has none.

/** Why the API does not start without keys, for a person; `host`: what it would listen on, null when keys are asked for. */
export function keysNeeded(host: string | null): string {
  const why =
    host === null
      ? 'Every caller has to sign with a key (--require-keys), and there is none of an admin'
      : `The API would listen on ${host}, beyond this machine, where every caller must sign with a real key, and there is none of an admin`
  return (
    `${why}: make one (cachefront keys create --name NAME --role admin), or set CACHEFRONT_ACCESS_KEY_ID and ` +
    `CACHEFRONT_SECRET_ACCESS_KEY${host === null ? '' : ', or listen on 127.0.0.1'}.`
  )
}
