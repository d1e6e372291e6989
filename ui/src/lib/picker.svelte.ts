/** Whether the picker with all emoji is unfolded. */
export class Picker {
  open = $state(false);
}
