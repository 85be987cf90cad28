"""What a killed engine leaves behind."""
