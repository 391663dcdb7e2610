//! Unix sockets: whether somebody is behind one. The file alone says nothing: it stays when its process is killed.
import { connect } from 'node:net'

/** Resolves true when somebody accepts at the socket. */
export function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
