//! Stands for an execution environment of Lambda: a process of its own that loads the function once and gives it the
//! events that come over the channel, one at a time.
import { handler, type OrderEvent } from '../lambda-state.ts'

process.on('message', (event: OrderEvent) => {
  void handler(event).then(
    (answer) => process.send?.({ answer }),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', () => process.exit(0))
