"""The Midjourney proxy's API (`/mj/…`): its tasks, the buttons below them, and the way to a proxy of the operator's."""
