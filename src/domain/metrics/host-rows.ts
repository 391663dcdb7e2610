//! Metrics that AWS takes of the host of a node (spec/elasticache.md 12.1). Here a host has many nodes: they are those of
//! the node's process where the system tells them by process.
import { added, always0, type MetricRow, percent, row, secondsBetween } from './metric.ts'

const NO_ALLOWANCE = 'the network of a node has no allowance here'

export const HOST_ROWS: readonly Omit<MetricRow, 'engines'>[] = [
  row(
    'CPUUtilization',
    'Percent',
    'Average',
    "CPU time of the node's process (/proc/PID/stat), of all CPUs of the host",
    (pair) => {
      const seconds = secondsBetween(pair)
      const used = added(pair, ({ host }) => host.cpuSeconds)
      return percent(used, seconds === null ? null : seconds * pair.now.host.cpus)
    },
  ),
  row(
    'FreeableMemory',
    'Bytes',
    'Average',
    'MemAvailable of the host, which its nodes share',
    ({ now }) => now.host.memoryAvailable,
  ),
  row('SwapUsage', 'Bytes', 'Average', "VmSwap of the node's process", ({ now }) => now.host.swap),
  always0('NetworkBandwidthInAllowanceExceeded', NO_ALLOWANCE),
  always0('NetworkBandwidthOutAllowanceExceeded', NO_ALLOWANCE),
  always0('NetworkConntrackAllowanceExceeded', NO_ALLOWANCE),
  always0('NetworkLinkLocalAllowanceExceeded', NO_ALLOWANCE),
  always0('NetworkPacketsPerSecondAllowanceExceeded', NO_ALLOWANCE),
]
