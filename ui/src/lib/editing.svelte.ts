/** Which message is being changed in this window; one at a time. */
class Editing {
  post = $state<string>();
}

export const editing = new Editing();
