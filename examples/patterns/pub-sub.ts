//! Publish and subscribe: rooms of a chat. A message goes to who is connected now and to nobody else: it is not stored,
//! and one who was away for a moment has missed it. What must arrive goes through a stream (stream-queue.ts); here each
//! room keeps its last messages in a list, so that who comes back can catch up.
import type { Redis } from 'ioredis'
import type { Cache } from './support/cache.ts'

const KEPT = 50

export interface Message {
  readonly from: string
  readonly text: string
}

export class Chat {
  readonly #cache: Cache
  /** A connection that is subscribed can do nothing else. */
  readonly #subscriber: Redis
  readonly #rooms = new Map<string, (message: Message) => void>()

  constructor(cache: Cache) {
    this.#cache = cache
    // ioredis subscribes again by itself after a failover.
    this.#subscriber = cache.primary.duplicate()
    this.#subscriber.on('error', () => {})
    this.#subscriber.on('message', (channel, text) => this.#rooms.get(channel)?.(JSON.parse(text) as Message))
  }

  async join(room: string, hear: (message: Message) => void): Promise<void> {
    this.#rooms.set(channelOf(room), hear)
    await this.#subscriber.subscribe(channelOf(room))
  }

  /** @returns how many connections have got it */
  async say(room: string, message: Message): Promise<number> {
    const text = JSON.stringify(message)
    const list = `room:${room}`
    const answers = await this.#cache.primary
      .multi()
      .lpush(list, text)
      .ltrim(list, 0, KEPT - 1)
      .publish(channelOf(room), text)
      .exec()
    return Number(answers?.[2]?.[1])
  }

  /** The last messages, oldest first. */
  async history(room: string): Promise<readonly Message[]> {
    const texts = await this.#cache.primary.lrange(`room:${room}`, 0, -1)
    return texts.reverse().map((text) => JSON.parse(text) as Message)
  }

  /** Resolves when the engine knows it. */
  async leave(): Promise<void> {
    await this.#subscriber.unsubscribe()
    this.#subscriber.disconnect()
  }
}

const channelOf = (room: string): string => `chat:${room}`

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const [ada, bob] = [new Chat(cache), new Chat(cache)]
  const heard: Message[] = []
  await bob.join('lobby', (message) => heard.push(message))
  say(`ada says hello and reaches ${await ada.say('lobby', { from: 'ada', text: 'hello' })}`)
  await bob.leave()
  say(`bob has heard ${JSON.stringify(heard)} and left`)
  say(`ada asks who is there and reaches ${await ada.say('lobby', { from: 'ada', text: 'anybody?' })}`)
  say(`the room remembers ${(await ada.history('lobby')).length} messages`)
  await ada.leave()
}
