//! Notifications of events of real caches to a real HTTP receiver, one that fails at first; over a restart of control.
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { notificationsTask, signatureOf } from '../../../src/control/tasks/notifications.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { ElastiCacheScenario, TOPIC, WAIT } from '../../support/elasticache-scenario.ts'

const SECRET = 'between us'
/** Milliseconds that the time between two attempts is ahead. */
let ahead = 0
const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead }

let scenario: ElastiCacheScenario
let receiver: Server
let url: string
let answer = 200
const received: { readonly headers: IncomingHttpHeaders; readonly text: string }[] = []

before(async () => {
  receiver = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    received.push({ headers: request.headers, text })
    response.writeHead(answer).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`
  scenario = await ElastiCacheScenario.start()
})
after(async () => {
  await scenario?.end()
  await new Promise((resolve) => receiver.close(resolve))
})

const problems: string[] = []
const newTask = () =>
  notificationsTask({
    state: scenario.control.state,
    clock,
    webhooks: new Map([[TOPIC, url]]),
    secret: SECRET,
    onProblem: (line) => problems.push(line),
  })

/** Bodies of what was received, with the message of the service parsed. */
const notified = (): Record<string, string>[] => received.map(({ text }) => JSON.parse(JSON.parse(text).Message))

test('what happens to a cache waits in the state until a receiver has taken it, in order, each with one id', async () => {
  const { client } = scenario
  await client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'with a topic',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      NotificationTopicArn: TOPIC,
    }),
  )
  await sdk.waitUntilReplicationGroupAvailable({ client, ...WAIT }, { ReplicationGroupId: 'shop' })
  const member = await scenario.cluster('shop-001')
  assert.deepEqual(member.NotificationConfiguration, { TopicArn: TOPIC, TopicStatus: 'active' })

  answer = 503
  const task = newTask()
  await task.run()
  const first = received.length
  assert.ok(first > 0)
  // Nothing is tried again before its time.
  await task.run()
  assert.equal(received.length, first)
  assert.match(problems[0]!, /answered 503; it is tried again/)
  ahead += 1_500
  await task.run()
  assert.equal(received.length, 2 * first)

  // Another control: what waits has outlived the one before.
  answer = 200
  received.splice(0)
  await scenario.restartControl(async () => {})
  await newTask().run()
  const created = { 'ElastiCache:CacheClusterProvisioningComplete': 'shop-001' }
  assert.ok(
    notified().some((body) => JSON.stringify(body) === JSON.stringify(created)),
    JSON.stringify(notified()),
  )
  assert.deepEqual(await scenario.control.state.list('notification'), [])
  const { headers, text } = received[0]!
  const body = JSON.parse(text)
  assert.equal(body.Type, 'Notification')
  assert.equal(body.TopicArn, TOPIC)
  assert.equal(headers['x-amz-sns-message-id'], body.MessageId)
  assert.equal(headers['x-cachefront-signature'], signatureOf(text, SECRET))
})

test('a failover is told of the group and of the node; an inactive topic hears nothing', async () => {
  const { client } = scenario
  const killPrimary = async (): Promise<void> => {
    const before = await scenario.group('shop')
    const lost = before.NodeGroups![0]!.NodeGroupMembers!.find((m) => m.CurrentRole === 'primary')!.CacheClusterId!
    const seen = scenario.control.link.seen()!.groups.find(({ id }) => id === 'shop')!
    process.kill(seen.nodes.find(({ id }) => id === lost)!.pid!, 'SIGKILL')
    await scenario.until(async () => {
      const messages = await scenario.messages('cache-cluster', lost)
      assert.ok(messages.at(-1)!.startsWith('Finished recovery'), messages.join())
      assert.equal((await scenario.group('shop')).Status, 'available')
    })
  }
  const modify = (input: object) =>
    client.send(new sdk.ModifyReplicationGroupCommand({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...input }))
  await modify({ AutomaticFailoverEnabled: true })
  await scenario.until(async () => assert.equal((await scenario.group('shop')).AutomaticFailover, 'enabled'))
  received.splice(0)
  await killPrimary()
  await newTask().run()
  const names = notified().flatMap((body) => Object.entries(body).map((entry) => entry.join(' ')))
  assert.ok(names.includes('ElastiCache:FailoverComplete shop'), names.join())
  const ofNode = names.filter((name) => name.endsWith(' shop-001'))
  assert.ok(ofNode.indexOf('ElastiCache:CacheNodeReplaceStarted shop-001') >= 0, names.join())
  assert.ok(
    ofNode.indexOf('ElastiCache:CacheNodeReplaceStarted shop-001') <
      ofNode.indexOf('ElastiCache:CacheNodeReplaceComplete shop-001'),
  )

  await modify({ NotificationTopicStatus: 'inactive' })
  assert.equal((await scenario.cluster('shop-002')).NotificationConfiguration!.TopicStatus, 'inactive')
  received.splice(0)
  await killPrimary()
  await newTask().run()
  assert.deepEqual(received, [])
})

test('the deletion of a cluster is told although it is gone', async () => {
  const { client } = scenario
  const CacheClusterId = 'pages'
  await client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId,
      Engine: 'memcached',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 1,
      NotificationTopicArn: TOPIC,
    }),
  )
  await sdk.waitUntilCacheClusterAvailable({ client, ...WAIT }, { CacheClusterId })
  await client.send(new sdk.DeleteCacheClusterCommand({ CacheClusterId }))
  await sdk.waitUntilCacheClusterDeleted({ client, ...WAIT }, { CacheClusterId })
  received.splice(0)
  await newTask().run()
  assert.deepEqual(notified().at(-1), { 'ElastiCache:DeleteCacheClusterComplete': CacheClusterId })
})

test('what nobody takes within a day is given up, and the operator hears of it', async () => {
  const { state } = scenario.control
  const at = new Date(clock.now() - 25 * 3_600_000).toISOString()
  await state.transact((tx) =>
    tx.put('notification', '0', { messageId: 'x', topicArn: TOPIC, sourceId: 'shop', name: 'FailoverComplete', at }),
  )
  received.splice(0)
  await newTask().run()
  assert.deepEqual(received, [])
  assert.deepEqual(await state.list('notification'), [])
  assert.match(problems.at(-1)!, /1 notifications were given up/)
})
