//! A path as viewers send it: what a configuration or an invalidation holds beyond ASCII is percent-encoded UTF-8.

/** Encodes everything but visible ASCII (spec/cloudfront.md 8, encoding); what is encoded already stays as it is. */
export function encodePath(path: string): string {
  return path.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text.toWellFormed()))
}

/** What an invalidation of `path` is entered as: `/` names the default root object that it shows as well (unconfirmed). */
export function invalidatedPaths(path: string, rootObject: string): readonly string[] {
  const encoded = encodePath(path)
  return path === '/' && rootObject !== '' ? [encoded, encodePath(`/${rootObject}`)] : [encoded]
}
