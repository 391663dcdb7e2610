//! A pure function that remembers what it made of which arguments.

/**
 * `make`, which gives the same result again for the same arguments (compared with `===`). For few different
 * ones: it looks through all that it remembers, and forgets none as long as it lives itself.
 */
export function remembered<Args extends readonly unknown[], Made>(
  make: (...args: Args) => Made,
): (...args: Args) => Made {
  const known: { readonly args: Args; readonly made: Made }[] = []
  return (...args) => {
    const found = known.find((one) => one.args.length === args.length && one.args.every((arg, at) => arg === args[at]))
    if (found !== undefined) return found.made
    const made = make(...args)
    known.push({ args, made })
    return made
  }
}
