# oci in an image: what `npm ci && npm run build` made, on a base that has Node and nothing to install.
#
#   oci build -t oci .
#   oci run --rm -v "$PWD:/work" oci unpack docker://debian:bookworm /work/bundle
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
WORKDIR /opt/oci
COPY node_modules node_modules
COPY packages packages
RUN mkdir -p /usr/local/bin && ln -s /opt/oci/packages/cli/bin/oci.js /usr/local/bin/oci
WORKDIR /
LABEL org.opencontainers.image.title=oci \
      org.opencontainers.image.licenses=Apache-2.0
ENTRYPOINT ["oci"]
CMD ["--help"]
