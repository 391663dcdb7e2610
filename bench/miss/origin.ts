//! The origin of `npm run bench:miss`: answers every GET at once with the same 1 KB, on connections that stay. Prints its
//! port, and for each line on standard input how many it has answered. A process of its own, on the processor of the load.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { EDGE_BENCH } from '../edge.config.ts'

const BODY = 'x'.repeat(1_024)
const HEAD = ['HTTP/1.1 200 OK', `Content-Length: ${BODY.length}`, `Date: ${new Date().toUTCString()}`]
for (const [name, value] of EDGE_BENCH.originHeaders) HEAD.push(`${name}: ${value}`)
const ANSWER = `${HEAD.join('\r\n')}\r\n\r\n${BODY}`

let answered = 0
const server = createServer({ noDelay: true }, (socket) => {
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    rest += text
    let answers = ''
    for (let end = rest.indexOf('\r\n\r\n'); end >= 0; end = rest.indexOf('\r\n\r\n')) {
      rest = rest.slice(end + 4)
      answers += ANSWER
      answered++
    }
    if (answers !== '') socket.write(answers, 'latin1')
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${answered}\n`))
process.on('SIGTERM', () => process.exit(0))
