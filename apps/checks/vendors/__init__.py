"""What vendors say of themselves on their status pages, beside what we measured."""
