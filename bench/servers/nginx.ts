//! nginx `proxy_cache` with one worker and the log buffered. Its cache directory lies in memory where there is /dev/shm.
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { countLines, logSettled } from '../log-lines.ts'
import { freePort, startOn } from '../processes.ts'
import { SETTLE_MS, type StartServer } from './server.ts'

export const startNginx: StartServer = async ({ config, directory, originPort, tls }) => {
  const port = await freePort()
  const httpsPort = tls === undefined ? 0 : await freePort()
  const log = join(directory, 'access.log')
  await mkdir(join(directory, 'cache'), { recursive: true })
  // `user` and `daemon off` let it run as root in a container; the rest is a plain caching proxy.
  const text = `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 1024; }
http {
  access_log ${log} combined buffer=64k flush=1s;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  proxy_cache_path ${directory}/cache keys_zone=bench:10m;
  server {
    listen 127.0.0.1:${port};
    ${tls === undefined ? '' : await listenTls(directory, httpsPort, tls)}
    location / {
      proxy_pass http://127.0.0.1:${originPort};
      proxy_cache bench;
      proxy_cache_key $host$request_uri;
      add_header X-Cache $upstream_cache_status;
      add_header Via "1.1 nginx";
      add_header X-Request-Id $request_id;
    }
  }
}
`
  const file = join(directory, 'nginx.conf')
  await writeFile(file, text)
  const started = startOn(config.serverCpu, 'nginx', ['-c', file, '-p', directory])
  return {
    name: 'nginx',
    version: execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim(),
    port,
    httpsPort,
    pids: [started.pid],
    isHit: (answer) => answer.headers['x-cache'] === 'HIT',
    logLines: () => countLines(log),
    logSettled: () => logSettled(log, SETTLE_MS),
    output: started.output,
    stop: started.stop,
  }
}

/** HTTP/2 and HTTP/1.1; TLS 1.3, and 1.2 as the policy TLSv1.2_2021 has it; tickets are on by default. */
async function listenTls(
  directory: string,
  port: number,
  { key, chain }: { key: string; chain: string },
): Promise<string> {
  const [keyFile, chainFile] = [join(directory, 'tls.key'), join(directory, 'tls.crt')]
  await writeFile(keyFile, key, { mode: 0o600 })
  await writeFile(chainFile, chain)
  return `listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${chainFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;
    ssl_ecdh_curve X25519:prime256v1:secp384r1;`
}
