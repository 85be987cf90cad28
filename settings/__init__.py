"""The onboot program `settings`: files for the services that are written in shell."""
