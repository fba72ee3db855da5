FROM node:24-bookworm-slim AS build
WORKDIR /picket
COPY . .
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile && npx tsc -b && npx --yes pnpm@12.21.0 prune --prod

FROM node:24-bookworm-slim
WORKDIR /picket
COPY --from=build /picket /picket
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000 8443 8883
ENTRYPOINT ["node", "/picket/controller/dist/main.js"]
CMD ["serve", "--data-dir", "/data"]
