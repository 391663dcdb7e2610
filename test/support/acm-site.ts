//! ACM and CloudFront as an installation has them, on a state of their own, without edges: the API with its real operations,
//! AWS's SDK before it, and the task that issues, which a test runs by hand.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACM } from '@aws-sdk/client-acm'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import type { Issuer } from '../../src/control/issuers/issuer.ts'
import { localIssuer } from '../../src/control/issuers/local.ts'
import type { Task } from '../../src/control/reconciler.ts'
import { acmCertificatesTask } from '../../src/control/tasks/acm-certificates.ts'
import { type Quotas, quotasWith } from '../../src/domain/quotas.ts'
import { MovableClock } from '../../src/lib/clock.ts'
import { ACM_OPERATIONS } from '../../src/services/acm/operations.ts'
import { CLOUDFRONT_OPERATIONS } from '../../src/services/cloudfront/operations.ts'
import { certificateSource } from '../../src/services/monitoring/certificate-source.ts'
import { monitoringOperations } from '../../src/services/monitoring/operations.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { clientOptions, startApi, type TestApi } from './api-server.ts'

export interface AcmSiteOptions {
  readonly quotas?: Partial<Quotas>
  /** As of ServiceContext. */
  readonly challengeZone?: string
  /** In the place of the local authority. */
  readonly issuer?: Issuer
}

export class AcmSite {
  readonly acm: ACM
  readonly cloudfront: CloudFront
  readonly server: TestApi
  readonly state: State
  readonly clock: MovableClock
  readonly task: Task
  /** Lines that the operator was told. */
  readonly told: readonly string[]

  private constructor(server: TestApi, state: State, clock: MovableClock, task: Task, told: readonly string[]) {
    this.acm = new ACM(clientOptions(server.url))
    this.cloudfront = new CloudFront(clientOptions(server.url))
    this.server = server
    this.state = state
    this.clock = clock
    this.task = task
    this.told = told
  }

  /** Runs `work` on a site of its own. */
  static async use(options: AcmSiteOptions, work: (site: AcmSite) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'cachefront-acm-'))
    const clock = new MovableClock()
    const state = await openSqliteState(join(home, 'state.db'), clock)
    const told: string[] = []
    const issuer = options.issuer ?? localIssuer(join(home, 'tls'), clock)
    const { task } = acmCertificatesTask({ state, clock, issuer, log: (line) => told.push(line) })
    const context = {
      state,
      clock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(options.quotas),
      ...(options.challengeZone === undefined ? {} : { challengeZone: options.challengeZone }),
      host: { binaries: () => [] },
    }
    const services = {
      acm: ACM_OPERATIONS,
      cloudfront: CLOUDFRONT_OPERATIONS,
      elasticache: {},
      monitoring: monitoringOperations([certificateSource(state, clock)]),
    }
    const server = await startApi({ services, context })
    const site = new AcmSite(server, state, clock, task, told)
    try {
      await work(site)
    } finally {
      site.acm.destroy()
      site.cloudfront.destroy()
      await server.api.close()
      issuer.close()
      await state.close()
      await rm(home, { recursive: true })
    }
  }

  /** Moves the movable clock on. */
  forward(ms: number): void {
    this.clock.moveTo(this.clock.offsetMs + ms)
  }
}
