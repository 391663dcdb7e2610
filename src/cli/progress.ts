//! Long work with a moving line for a person, and without one where nobody looks.
import type { Output } from './host.ts'

/** Tells how far the work is: shown beside its title. */
export type Say = (text: string) => void

/** Runs `act`; its error comes out as it is. `quiet` for --json. */
export async function work(
  out: Output,
  quiet: boolean,
  title: string,
  act: (say: Say) => Promise<void>,
): Promise<void> {
  if (quiet || !out.interactive) return act(() => {})
  const { Listr } = await import('listr2')
  const task = {
    title,
    task: (_: unknown, shown: { title: string }) =>
      act((text) => {
        shown.title = `${title}: ${text}`
      }),
  }
  await new Listr([task], { renderer: 'default' }).run()
}
