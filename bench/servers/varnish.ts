//! Varnish with its objects in malloc storage, and varnishncsa, without which it writes no log, counted in.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { countLines, logSettled } from '../log-lines.ts'
import { freePort, startOn } from '../processes.ts'
import { SETTLE_MS, type StartServer } from './server.ts'

export const startVarnish: StartServer = async ({ config, directory, originPort }) => {
  const port = await freePort()
  const work = join(directory, 'work')
  const log = join(directory, 'access.log')
  // `-j none`: no user to change to in a container. A large shared log: on the one processor varnishncsa falls behind
  // under full load, and must not lose what it has to write later.
  const varnish = startOn(config.serverCpu, 'varnishd', [
    ...['-F', '-n', work, '-j', 'none', '-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${originPort}`],
    ...['-s', `malloc,${config.cacheBytes}`, '-T', 'none', '-p', 'vsl_space=1G'],
  ])
  // It waits until varnishd's shared log is there.
  const logger = startOn(config.serverCpu, 'varnishncsa', ['-n', work, '-t', '30', '-w', log])
  return {
    name: 'varnish',
    version: execFileSync('sh', ['-c', 'varnishd -V 2>&1 | head -1'], { encoding: 'utf8' }).trim(),
    port,
    httpsPort: 0,
    pids: [varnish.pid, logger.pid],
    // X-Varnish names two transactions when the object came from the cache.
    isHit: (answer) => String(answer.headers['x-varnish'] ?? '').includes(' '),
    logLines: () => countLines(log),
    logSettled: () => logSettled(log, SETTLE_MS),
    output: () => varnish.output() + logger.output(),
    async stop() {
      await logger.stop()
      await varnish.stop()
    },
  }
}
