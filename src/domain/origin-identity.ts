//! The name of an origin access identity as an origin has it (spec/cloudfront.md 2.2).

const FORM = /^origin-access-identity\/cloudfront\/([A-Z0-9]{1,64})$/

/** Id of the identity; null for a text of another form. */
export const identityOf = (value: string): string | null => FORM.exec(value)?.[1] ?? null
