//! Long work with a moving line for a person, and without one where nobody looks.
import type { Output } from './host.ts'

/** Runs `act`; its error comes out as it is. `quiet` for --json. */
export async function work(out: Output, quiet: boolean, title: string, act: () => Promise<void>): Promise<void> {
  if (quiet || !out.interactive) return act()
  const { Listr } = await import('listr2')
  await new Listr([{ title, task: act }], { renderer: 'default' }).run()
}
