//! What an ACME server looks for to see that a name is under our control (RFC 8555 8.3, 8.4). Public by nature: whoever
//! asks for it gets it, and it is good for one authorization of one account.

export interface ChallengeDoc {
  readonly kind: 'http-01' | 'dns-01'
  /** DNS name that is to be proven, lower case; of a wildcard without its star. */
  readonly name: string
  /** http-01: the last segment of the path. dns-01: empty. */
  readonly token: string
  /** http-01: the key authorization, which is the body. dns-01: text of the TXT record at `_acme-challenge.NAME`. */
  readonly content: string
}

export interface ChallengeRecord extends ChallengeDoc {
  /** The certificate that it is for: gone, or issued, the challenge goes too. */
  readonly certificateArn: string
}

/** Where validators ask for a token over HTTP (RFC 8555 8.3, RFC 8615). */
export const CHALLENGE_PATH = '/.well-known/acme-challenge/'

/** First label of the name whose TXT records validators ask for (RFC 8555 8.4). */
export const CHALLENGE_LABEL = '_acme-challenge.'

/** Under which http-01 is found by what a request says. */
export const httpChallengeId = (name: string, token: string): string => `http-01/${name}/${token}`

/** Names one challenge. A wildcard and its parent have two TXT records at one name: the text is part of it. */
export const challengeId = ({ kind, name, token, content }: ChallengeDoc): string =>
  kind === 'http-01' ? httpChallengeId(name, token) : `dns-01/${name}/${content}`

/** Texts of the TXT records at `_acme-challenge.NAME`. */
export const challengeTexts = (challenges: ReadonlyMap<string, ChallengeDoc>, name: string): readonly string[] =>
  [...challenges.values()].flatMap((one) => (one.kind === 'dns-01' && one.name === name ? one.content : []))
