FROM node:24-bookworm-slim AS build
WORKDIR /picket
COPY . .
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile && npx tsc -b && npx --yes pnpm@12.21.0 prune --prod

FROM node:24-bookworm-slim
# On a gateway: --network host --cap-drop ALL, and --cap-add each of NET_ADMIN, NET_RAW (what these three need), SETPCAP (so that
# the agent itself can be started without them), SETUID, SETGID and KILL (so that tcpdump has a user of its own, and can be ended).
# docker-compose.yml shows it as the profile `gateway`.
RUN apt-get update && apt-get install -y --no-install-recommends nftables tcpdump conntrack && rm -rf /var/lib/apt/lists/*
WORKDIR /picket
COPY --from=build /picket /picket
COPY deploy/agent-demo.yaml /etc/picket/demo.yaml
# glibc keeps a pool for each thread, gives large buffers back late, and uses huge pages for large tables only where it is told.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 GLIBC_TUNABLES=glibc.malloc.hugetlb=1
VOLUME /var/lib/picket-agent
ENTRYPOINT ["node", "/picket/agent/dist/main.js"]
CMD ["run", "--config", "/etc/picket/agent.yaml"]
