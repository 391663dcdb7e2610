//! The load of a benchmark: wrk on its own processor, and single requests to look at an answer.
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { promisify } from 'node:util'
import type { EdgeBenchConfig } from './edge.config.ts'

const run = promisify(execFile)

/** Of another host, too. */
type LoadConfig = Omit<EdgeBenchConfig, 'host'> & { readonly host: string }

export interface Load {
  readonly requests: number
  readonly seconds: number
}

/** Loads one server for some seconds. @throws Error when any answer was not a 2xx or a connection failed */
export async function load(config: LoadConfig, path: string, port: number, seconds: number): Promise<Load> {
  const headers = [['Host', config.host], ...config.headers].flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { stdout } = await run('taskset', [
    ...['-c', `${config.loadCpu}`, 'wrk', '-t1', `-c${config.connections}`, `-d${seconds}s`, '--timeout', '10s'],
    ...headers,
    `http://127.0.0.1:${port}${path}`,
  ])
  const counted = /(\d+) requests in ([\d.]+)s/.exec(stdout)
  if (counted === null || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`wrk failed on port ${port}:\n${stdout}`)
  return { requests: Number(counted[1]), seconds: Number(counted[2]) }
}

export interface Looked {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: number
}

/** One request with the benchmark's own headers. */
export function look(config: LoadConfig, path: string, port: number): Promise<Looked> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries([['Host', config.host], ...config.headers])
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }))
    })
      .on('error', reject)
      .end()
  })
}
