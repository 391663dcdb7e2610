"""Appends a number for each line on standard input (list, number, replicas, milliseconds) and prints how many replicas
have it. One pipeline a write: both commands go over one connection, or both fail."""
import sys

import redis

client = redis.Redis(host=sys.argv[1], port=int(sys.argv[2]))
for line in sys.stdin:
    name, number, replicas, wait_ms = line.split()
    try:
        pipeline = client.pipeline(transaction=False)
        pipeline.rpush(name, number)
        pipeline.execute_command("WAIT", replicas, wait_ms)
        print(pipeline.execute()[1])
    except redis.RedisError as error:
        print("failed:", str(error).replace("\n", " "))
