//! Speaks to a memcached, or to a configuration endpoint, in the text protocol.
import { connect } from 'node:net'

/** Sends `commands` and `quit`, and returns all that comes back. */
export async function say(host: string, commands: string, port = 11211): Promise<string> {
  const socket = connect(port, host)
  socket.setEncoding('latin1')
  socket.write(`${commands}quit\r\n`)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}
