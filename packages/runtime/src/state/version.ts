/** The version of the runtime specification that our state has the form of. */
export const stateVersion = '1.2.0';
