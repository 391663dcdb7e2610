//! A disk that is soon full: a small file system in memory, mounted over a directory where the test may do that.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export interface SmallDisk {
  unmount(): Promise<void>
}

const run = async (command: string, ...args: readonly string[]): Promise<boolean> => {
  const [code] = await once(spawn(command, args, { stdio: 'ignore' }), 'close').catch(() => [1])
  return code === 0
}

/** `size` as mount(8) has it: `64k`, `1m`. Without the right to mount the test is skipped, and the result is null. */
export async function mountSmallDisk(
  t: Pick<TestContext, 'skip'>,
  directory: string,
  size: string,
): Promise<SmallDisk | null> {
  if (!(await run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory))) {
    t.skip('needs the right to mount a small file system')
    return null
  }
  return { unmount: async () => void (await run('umount', '-l', directory)) }
}
