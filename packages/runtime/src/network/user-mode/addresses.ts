/** The container's address in slirp4netns's own network. */
export const slirpAddress = '10.0.2.100';

/** The host's, when the container may reach its loopback. */
export const slirpGateway = '10.0.2.2';

/** The name server, which asks those of the host, wherever they are. */
export const slirpNameserver = '10.0.2.3';
