//! Stands for an edge worker in scenarios of the keeper: lives until SIGTERM.
process.on('SIGTERM', () => process.exit(0))
process.stdout.write(`worker ${process.argv.slice(2).join(' ')}\n`)
setInterval(() => {}, 1000)
