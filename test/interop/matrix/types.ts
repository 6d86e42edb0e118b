/** Where images are kept. */
export type Medium = 'docker-registry' | 'oci serve' | 'layout' | 'oci-archive' | 'docker-archive';

/** Every medium, in the order of the table. */
export const media: readonly Medium[] = [
  'docker-registry',
  'oci serve',
  'layout',
  'oci-archive',
  'docker-archive',
];

/** An image in a medium. */
export interface Place {
  readonly medium: Medium;
  /** Of a registry `HOST/NAME:TAG`; of the others the path. */
  readonly at: string;
}

/** What a tool can do with one medium; a text says why it cannot. */
export type Ability = ((place: Place) => Promise<string>) | string;

/** Another program that moves images. */
export interface Tool {
  readonly name: string;
  /** The commands that must be there. */
  readonly commands: readonly string[];
  readonly needsRoot?: boolean;
  /** Makes it ready, with everything of its own below a directory. */
  start(scene: ToolScene): Promise<RunningTool>;
}

/** What a tool works with. */
export interface ToolScene {
  /** Empty, of the tool's own. */
  readonly directory: string;
  /** The image as a layout that we wrote, tag `v1`: what tools write comes from here. */
  readonly layout: string;
  /** The same in a registry of ours. */
  readonly reference: string;
}

/** A tool that is ready. */
export interface RunningTool extends AsyncDisposable {
  readonly version: string;
  /** Reads what we wrote, and returns the digest of the image's config as the tool has it. */
  read(place: Place): Ability;
  /** Writes the image for us to read. */
  write(place: Place): Ability;
}
