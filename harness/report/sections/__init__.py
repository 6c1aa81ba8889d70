"""Report sections, one file each: `section = Section(order, title, render)`."""
