# syntax=docker/dockerfile:1

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY src ./src
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
# Readable for everybody, whatever the permissions in the repository are: OpenShift runs the image as an arbitrary user.
COPY --chmod=644 package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The directory of the embedded database, which is used if DATABASE_URL is not set. An arbitrary user of OpenShift is in
# group 0, so the group has the permissions of the owner. The service makes its files private.
RUN mkdir --mode=770 /data && chown node:0 /data
VOLUME /data
USER node
EXPOSE 3000
# Liveness, because an orchestrator may restart a container that is unhealthy. That would not help while the database is
# down.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Start Node.js without npm or a shell, so that SIGTERM reaches the service.
CMD ["node", "dist/src/main.js"]
